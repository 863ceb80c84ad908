// What `go mod tidy` keeps the requirements of go.mod for; nothing compiles it.
//go:build programs

package programs

import (
	_ "github.com/nsqio/nsq/apps/nsqd"
	_ "github.com/nsqio/nsq/apps/nsqlookupd"
)
