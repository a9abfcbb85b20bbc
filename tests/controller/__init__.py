"""The shell around the plan: loop, queue, freshness, performing, telling."""
