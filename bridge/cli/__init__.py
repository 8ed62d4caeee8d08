"""One module a command of the `ghostnote` program."""
