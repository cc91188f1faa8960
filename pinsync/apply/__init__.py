"""Carry out a plan: write to the shop rule by rule, and account for each write."""
