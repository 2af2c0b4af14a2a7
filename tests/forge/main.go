// Command forge is Gitea, as its own main package starts it: a real forge for the tests.
//
// Gitea's main package can't be built from another module, because Go ignores the replacements in the go.mod of a
// dependency. go.mod repeats them.
package main

import (
	"os"

	"code.gitea.io/gitea/cmd"
	"code.gitea.io/gitea/modules/setting"
)

func main() {
	setting.AppVer = "1.26.0"
	setting.AppBuiltWith = " for tests"
	app := cmd.NewMainApp(cmd.AppVersion{Version: setting.AppVer, Extra: setting.AppBuiltWith})
	if err := cmd.RunMainApp(app, os.Args...); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
