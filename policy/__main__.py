"""The entry point: `basegate`, and the same as `python -m policy`."""

import sys

from policy.cli.process_setup import begin_serving, open_closed_streams

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; a server's signals are seen to before anything else is imported."""
    open_closed_streams()
    if sys.argv[1:2] == ["serve"]:
        begin_serving()
    try:
        from policy.cli.main import basegate  # noqa: PLC0415

        basegate(prog_name="basegate")
    except KeyboardInterrupt:  # before the last catch stands, or after it
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
