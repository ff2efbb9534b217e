package report

// The exit codes of rig.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2
	exitLoad       = 3
	exitNothing    = 4
	exitTarget     = 5
	exitThreshold  = 6
	exitFlaky      = 7
	exitLeaked     = 8
	exitIncomplete = 9
	exitUnknown    = 10
	exitInternal   = 70
	exitSIGINT     = 130
	exitSIGTERM    = 143
)

// ExitCode is a process exit code of rig.
type ExitCode struct {
	Code    int
	Meaning string // one line
}

// ExitCodes lists the codes by number. The caller owns the result.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{exitOK, "everything passed"},
		{exitFailed, "a test failed; lint found something, or fmt --check something to change"},
		{exitUsage, "the command line or the configuration is wrong"},
		{exitLoad, "a script does not load"},
		{exitNothing, "nothing ran: no test was selected, or all were skipped"},
		{exitTarget, "the target cannot be reached, or the environment lacks something"},
		{exitThreshold, "a threshold was crossed"},
		{exitFlaky, "a test passed only when tried again, and flaky tests fail the run"},
		{exitLeaked, "a test left something behind, and the run is strict"},
		{exitIncomplete, "a report or an import is incomplete"},
		{exitUnknown, "the verdict on a test is unknown: the reply to a write or commit was lost"},
		{exitInternal, "an error inside rig"},
		{exitSIGINT, "interrupted (SIGINT)"},
		{exitSIGTERM, "told to stop (SIGTERM)"},
	}
}

// Worst gives the code that wins over the others: the first present of 70, 130, 143, 2, 3, 5, 1, 10, 9, 8, 7, 6, 4. A code
// that is not rig's counts as 70.
func Worst(codes ...int) int {
	order := [...]int{
		exitInternal, exitSIGINT, exitSIGTERM, exitUsage, exitLoad, exitTarget, exitFailed, exitUnknown, exitIncomplete,
		exitLeaked, exitFlaky, exitThreshold, exitNothing, exitOK,
	}
	worst := len(order) - 1
	for _, code := range codes {
		rank := 0
		for i, c := range order {
			if c == code {
				rank = i
			}
		}
		worst = min(worst, rank)
	}
	return order[worst]
}
