package workflows

import "go.temporal.io/sdk/workflow"

// Changes to workflows that may have begun on the code before them. Each stands here until no history
// without it is kept any more, which takes the retention of the namespace.
const (
	// What is said while an approval ends is done, and a resume undoes a pause that came just before it; before,
	// such words went with the ending run.
	changeHeardOut = "heard-out"

	// A release ends with its endpoint; before, it went on whatever ReleaseHeld said of that. Asked only where it
	// says so: runs that were begun before go by it, unless a worker of before has read such an answer.
	changeReleaseStops = "release-stops"
)

// goesBy says whether this run goes by a change: one that has passed here on the code before does not.
func goesBy(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) == 1
}
