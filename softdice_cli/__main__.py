"""``python -m softdice_cli``."""

from softdice_cli.cli import main

if __name__ == "__main__":
    main()
