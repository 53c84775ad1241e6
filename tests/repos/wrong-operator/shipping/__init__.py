"""Shipping costs of the shop."""
