"""`python -m ghostnote.bridge.cli`: the same program as `ghostnote`."""

from ghostnote.bridge.cli.program import main

if __name__ == "__main__":
    main()
