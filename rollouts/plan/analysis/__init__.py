"""What is measured, and what is the verdict? From templates and arguments to the plan for one AnalysisRun."""
