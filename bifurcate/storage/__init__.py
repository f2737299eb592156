"""Results that last: pickling, one file a result, and journals of what is under way."""
