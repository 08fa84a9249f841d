"""``python -m synthlaw`` is the command ``synthlaw``."""

from synthlaw.cli import main

if __name__ == "__main__":
    main()
