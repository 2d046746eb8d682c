"""The supervisor: it runs one worker process on each device and replaces a process that dies or hangs."""
