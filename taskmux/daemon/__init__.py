"""The program that stays: one per user, owner of every task."""
