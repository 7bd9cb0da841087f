package expression

// MaxWait is for tests that stop a child for longer.
const MaxWait = maxWait

// ChildArgument is by what the tests know a child.
const ChildArgument = childArgument
