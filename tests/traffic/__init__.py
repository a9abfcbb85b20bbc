"""Tests of traffic routers."""
