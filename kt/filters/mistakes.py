"""What is wrong with a text that the grammar does not read: each code, and broken examples of it.

Where the parser stops is known by what it would have accepted and by what it found instead. Every
example is one such place, and a text that stops at the same one gets the same code. Where no
example found the same token, the first one that stopped where the same was accepted says what is
wrong. The examples are tests too.
"""

MISTAKES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("missing_condition", ("", "stream and", "not", "(", "()", "or == 1")),
    ("value_first", ("500 < latency_ms", "'a' == model", "['a'] == model", "null == policy")),
    ("missing_operator", ("latency_ms 500", "model 'a'", "header['a'] 'b'", "model name")),
    ("missing_in", ("status not 500", "status not [500]", "status not")),
    ("missing_value", ("model ==", "(model ==)", "model in and stream", "model == not")),
    ("double_operator", ("status => 1", "status == == 1", "status == != 1", "status =< 1")),
    ("double_operator", ("status == <= 1", "status == >= 1", "status == in [1]", "status == = 1")),
    ("double_operator", ("model == contains 'a'", "model == matches 'a'", "model =~ 'a'")),
    ("double_operator", ("model == starts_with 'a'", "model == ends_with 'a'")),
    ("name_as_value", ("verdict == block", "verdict in [block]", "verdict in ['allow', block]")),
    (
        "missing_and",
        ("status == 1 stream", "stream == true, status == 1", "status == 1 AND stream"),
    ),
    ("chained_comparison", ("status > 1 < 5", "status < 1 > 5", "status >= 1 >= 5")),
    ("chained_comparison", ("status <= 1 <= 5", "true == stream", "true != stream")),
    ("chained_comparison", ("stream = true = true", "model ~ 'a' ~ 'b'", "status > 1 in [1]")),
    ("chained_comparison", ("model == 'a' contains 'a'", "model == 'a' matches 'a'")),
    ("chained_comparison", ("model == 'a' starts_with 'a'", "model == 'a' ends_with 'a'")),
    ("unclosed_parenthesis", ("(stream", "exists(policy", "((stream)")),
    ("unopened_parenthesis", ("stream)", "(stream))")),
    ("bad_list", ("status in [1 2]", "status in [1,]", "status in [,1]", "status in [1)")),
    ("unclosed_list", ("status in [", "status in [1", "status in [1,", "status in [1, 2")),
    ("bad_exists", ("exists policy", "exists", "exists()", "exists('a')", "exists(policy == 1)")),
    ("bad_exists", ("exists(not stream)", "exists(policy and model)")),
    ("bad_key", ("header[x] == 'a'", "header[", "header[]", "header['x' == 'a'", "header['x'")),
)
"""Code -> texts; a code may have several rows."""
