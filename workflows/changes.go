package workflows

import "go.temporal.io/sdk/workflow"

// Changes to workflows that may have begun on the code before them. Each stands here until no history
// without it is kept any more, which takes the retention of the namespace.
const (
	// A resume that comes while a rejection is being announced is done; before, it went with the ending run.
	changeResumeRejected = "resume-rejected"
)

// goesBy says whether this run goes by a change: one that has passed here on the code before does not.
func goesBy(ctx workflow.Context, change string) bool {
	return workflow.GetVersion(ctx, change, workflow.DefaultVersion, 1) == 1
}
