// Package temporal is empty: its module names Temporal's programs. It imports one of Hookloop's
// packages, so that every module has the version that Hookloop is built with, and Go's cache what
// was compiled for that.
package temporal

import _ "hookloop/internal/config"
