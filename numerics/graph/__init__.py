"""SSA graph between loop form and kernel text: lower, differentiate, legalise, schedule, print."""
