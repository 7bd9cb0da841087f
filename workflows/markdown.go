package workflows

import "strings"

// The Temporal UI shows current details as Markdown. What tenants, endpoints and third parties
// wrote is shown in it as they wrote it: a link or a heading in it would speak to the operator in
// our name.

// prose is a text of others in the middle of a line.
func prose(text string) string { return notMarkdown.Replace(text) }

var notMarkdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "~", `\~`, "#", `\#`, "&", `\&`, "$", `\$`,
	" _", ` \_`, "_ ", `\_ `, // elsewhere in a word it is an underscore
	"://", `:\//`, "www.", `www\.`, "@", `\@`, // these become links by themselves
	"\r", " ", "\n", " ", "\u2028", " ", "\u2029", " ",
)

// code is a text of others between two backticks.
func code(text string) string { return notCode.Replace(text) }

var notCode = strings.NewReplacer("`", "'", "\r", " ", "\n", " ", "\u2028", " ", "\u2029", " ")
