"""Minimizers on structured data: blocks, groups, slices, several learners, stages of training."""
