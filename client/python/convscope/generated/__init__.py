"""Methods of the clients that `make settings` writes from the parameters of the service's methods."""
