"""LISTENS: receives webhooks, shows pages, offers the command line. Holds the webhook secret and two addresses."""
