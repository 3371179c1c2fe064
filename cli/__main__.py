"""``python -m restore.cli`` is the ``restore`` command."""

from restore.cli import main

if __name__ == "__main__":
    main()
