"""A run's whole way in a few seconds: real deliveries, ledger, pipeline and forge; only the containers are scripted."""
