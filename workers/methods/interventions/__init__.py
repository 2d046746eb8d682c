"""Methods that change the photo or the network and show what follows."""
