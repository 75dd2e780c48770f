"""What the tests of every app share; production code never imports it."""
