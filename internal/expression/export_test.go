package expression

// MaxWait is for tests that stop a child for longer.
const MaxWait = maxWait
