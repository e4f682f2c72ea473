"""`python -m kt` is the command `kt`."""

from kt.cli import main

main()
