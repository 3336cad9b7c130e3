"""Classifiers whose network was exported to ONNX or OpenVINO: they run without torch (`japagen export` writes them).

A folder holds the network, the tokeniser's files and classifier.json with their digests. Only bytes whose digest was
checked are given to a runtime, and no network may name a file of its own.
"""
