"""What users test with: the mock provider."""
