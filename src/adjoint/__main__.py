"""The command line: `python -m adjoint run script.py` and `python -m adjoint info`."""

from adjoint._cli import main

if __name__ == "__main__":
    main()
