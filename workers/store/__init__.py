"""The queue of record: deliveries, runs, checkpoints, timeline; SQLite or PostgreSQL. Knows no GitHub, no Celery."""
