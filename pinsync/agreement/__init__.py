"""The record of agreement: the texts on which git and the shop agreed last, kept by git."""
