"""What several tests share: strategies, drivers, fakes and the naive interpreter."""
