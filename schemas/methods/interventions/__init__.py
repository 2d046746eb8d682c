"""Parameters of methods that change the photo or the network and show what follows."""
