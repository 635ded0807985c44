"""A stand-in store and a stand-in Mautic on real sockets: the two ends of the demo and of the tests."""
