"""`python -m nasbook` is the command `nasbook`."""

from nasbook.cli import main

if __name__ == "__main__":
    main()
