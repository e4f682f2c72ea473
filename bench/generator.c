/* The load generator: one thread that sends one request over and over to a port of this machine.
 *
 * In: a file with the request as it goes over the wire, and numbers. Out: one JSON object on stdout.
 * After SECONDS nothing is sent any more, and what is under way is waited for and counted, so that
 * nothing of one run is left to slow down the next.
 * Closed loop (rate 0): every connection has one request under way. Open loop: one request every
 * 1/rate seconds, and its latency counts from when it was due, so that a slow answer does not hide
 * those that waited behind it. Never: another host than 127.0.0.1, more than MOST_SECONDS.
 *
 * generator PORT REQUEST_FILE CONNECTIONS RATE SECONDS REQUESTS
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_SECONDS = 30, MOST_SECONDS = 300, MOST_REQUESTS = 2000000, MOST_CONNECTIONS = 1024, MOST_LINE = 16384 };
enum state { HEAD, LENGTH, SIZE, CHUNK, CHUNK_END, TRAILER };

struct connection {
    int socket, busy, closes, status, chunked;
    enum state state;
    double due, first_byte;
    long left;
    size_t line_length;
    char line[MOST_LINE];
};

static struct connection *connections;
static int connection_count, port, poller;
static char *request;
static size_t request_length;
static double *latencies, *first_bytes;
static long done, failed, refused, most_requests;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void die(const char *what) {
    fprintf(stderr, "generator: %s\n", what);
    exit(2);
}

static void dial(struct connection *one) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = one};
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    one->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(one->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(one->socket, (void *)&address, sizeof address) < 0) die("nobody listens");
    fcntl(one->socket, F_SETFL, O_NONBLOCK);
    epoll_ctl(poller, EPOLL_CTL_ADD, one->socket, &interest);
    one->busy = 0;
}

static void redial(struct connection *one) {
    close(one->socket);
    dial(one);
}

static void ask(struct connection *one, double due) {
    size_t sent = 0;
    one->busy = 1, one->closes = 0, one->chunked = 0, one->status = 0;
    one->state = HEAD, one->line_length = 0, one->left = 0;
    one->due = due, one->first_byte = 0;
    while (sent < request_length) {
        ssize_t took = send(one->socket, request + sent, request_length - sent, MSG_NOSIGNAL);
        struct pollfd writable = {.fd = one->socket, .events = POLLOUT};
        if (took >= 0) sent += took;
        else if (errno == EAGAIN) poll(&writable, 1, 1000);
        else return; /* the reading side sees that it closed */
    }
}

/* A line of a head, a chunk's size or a trailer; whether the answer is complete. */
static int take_line(struct connection *one) {
    char *line = one->line;
    line[one->line_length] = 0;
    if (one->line_length && line[one->line_length - 1] == '\r') line[--one->line_length] = 0;
    int empty = one->line_length == 0;
    one->line_length = 0;
    if (one->state == CHUNK_END) { one->state = SIZE; return 0; }
    if (one->state == TRAILER) return empty;
    if (one->state == SIZE) {
        one->left = strtol(line, NULL, 16);
        one->state = one->left ? CHUNK : TRAILER;
        return 0;
    }
    if (!empty) {
        if (!strncmp(line, "HTTP/1.", 7)) one->status = atoi(line + 9);
        else if (!strncasecmp(line, "content-length:", 15)) one->left = atol(line + 15);
        else if (!strncasecmp(line, "transfer-encoding:", 18)) one->chunked = 1;
        else if (!strcasecmp(line, "connection: close")) one->closes = 1;
        return 0;
    }
    if (one->status < 200) return 0;
    one->state = one->chunked ? SIZE : LENGTH;
    return !one->chunked && one->left == 0;
}

/* Read what came; whether the answer is complete. */
static int feed(struct connection *one, const char *data, long length, double time) {
    for (long at = 0; at < length;) {
        if (one->state != HEAD && !one->first_byte) one->first_byte = time;
        if (one->state == LENGTH || one->state == CHUNK) {
            long part = length - at < one->left ? length - at : one->left;
            at += part, one->left -= part;
            if (one->left) continue;
            if (one->state == LENGTH) return 1;
            one->state = CHUNK_END;
        } else if (data[at++] == '\n') {
            if (take_line(one)) return 1;
        } else if (one->line_length < MOST_LINE - 1) one->line[one->line_length++] = data[at - 1];
    }
    return 0;
}

static void finish(struct connection *one, double time) {
    if (one->status == 200 && done < MOST_REQUESTS) {
        latencies[done] = time - one->due;
        first_bytes[done++] = (one->first_byte ? one->first_byte : time) - one->due;
    } else refused++;
    one->busy = 0;
    if (one->closes) redial(one);
}

static void read_from(struct connection *one) {
    static char buffer[262144];
    ssize_t length = recv(one->socket, buffer, sizeof buffer, 0);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
        failed += one->busy;
        if (failed > 1000) die("too many answers broke off");
        redial(one);
    } else if (one->busy && feed(one, buffer, length, now())) finish(one, now());
}

static int is_idle(void) {
    for (int index = 0; index < connection_count; index++)
        if (connections[index].busy) return 0;
    return 1;
}

static void run(double rate, double seconds) {
    struct epoll_event events[256];
    double started = now(), end = started + seconds;
    long sent = 0;
    for (;;) {
        double time = now(), wait = (time < end ? end : end + DRAIN_SECONDS) - time;
        int sends = time < end && sent < most_requests;
        if (wait <= 0 || (!sends && is_idle())) return;
        for (int index = 0; sends && index < connection_count && sent < most_requests; index++) {
            double due = rate ? started + sent / rate : time;
            if (due > time) { wait = due - time < wait ? due - time : wait; break; }
            if (!connections[index].busy) ask(&connections[index], due), sent++;
        }
        struct timespec timeout = {.tv_sec = (long)wait, .tv_nsec = (wait - (long)wait) * 1e9};
        int ready = epoll_pwait2(poller, events, 256, &timeout, NULL);
        for (int index = 0; index < ready; index++) read_from(events[index].data.ptr);
    }
}

static void read_request(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die("no such request file");
    request = malloc(1 << 23);
    request_length = fread(request, 1, 1 << 23, file);
    fclose(file);
}

static int ascending(const void *one, const void *other) {
    double difference = *(double *)one - *(double *)other;
    return (difference > 0) - (difference < 0);
}

static double percentile(double *sorted, double part) {
    long index = (long)ceil(part * done) - 1;
    return done ? sorted[index < 0 ? 0 : index] * 1e3 : 0;
}

int main(int count, char **words) {
    if (count != 7) die("PORT REQUEST_FILE CONNECTIONS RATE SECONDS REQUESTS");
    port = atoi(words[1]);
    read_request(words[2]);
    connection_count = atoi(words[3]);
    double rate = atof(words[4]), seconds = atof(words[5]);
    most_requests = atol(words[6]);
    if (seconds > MOST_SECONDS || most_requests > MOST_REQUESTS) die("longer than is allowed");
    if (connection_count < 1 || connection_count > MOST_CONNECTIONS) die("too many connections");
    latencies = calloc(MOST_REQUESTS, sizeof *latencies);
    first_bytes = calloc(MOST_REQUESTS, sizeof *first_bytes);
    connections = calloc(connection_count, sizeof *connections);
    poller = epoll_create1(0);
    for (int index = 0; index < connection_count; index++) dial(&connections[index]);
    double started = now();
    run(rate, seconds);
    double took = now() - started;
    for (int index = 0; index < connection_count; index++) failed += connections[index].busy;
    qsort(latencies, done, sizeof *latencies, ascending);
    qsort(first_bytes, done, sizeof *first_bytes, ascending);
    printf("{\"answered\":%ld,\"refused\":%ld,\"failed\":%ld,\"per_second\":%.1f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"ttfb_p50_ms\":%.3f,\"ttfb_p99_ms\":%.3f}\n",
           done, refused, failed, done / took, percentile(latencies, .5), percentile(latencies, .99),
           percentile(first_bytes, .5), percentile(first_bytes, .99));
    return 0;
}
