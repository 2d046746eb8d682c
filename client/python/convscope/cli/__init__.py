"""The command line of the client: photos by the thousand, and questions to a service. It needs the extra `cli`."""
