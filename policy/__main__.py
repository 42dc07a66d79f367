"""`python -m policy` is `basegate`."""

from policy.cli import main

main()
