package importer

import (
	"regexp"
	"strings"
)

// The language is that of mysqltest (MariaDB's client/mysqltest.cc): a statement goes to the server when the delimiter ends it;
// a line that begins with -- is a command to the line's end; a statement whose first word is a command's name is one, too;
// # begins a comment at the start of a statement; if and while have blocks in braces.

// command is one statement or command of a test.
type command struct {
	name string // "" is SQL for the server
	args string
	at   int // its byte
	body []command
}

// The commands of mysqltest. What rig has no use for (how the log looks) is silent; what it cannot do is not.
var mysqltestCommands = words(`append_file assert cat_file change_user character_set chmod connect connection copy_file dec delimiter
	die diff_files dirty_close disable_abort_on_error disable_cursor_protocol disable_connect_log disable_info disable_metadata
	disable_non_blocking_api disable_parsing disable_prepare_warnings disable_ps_protocol disable_ps2_protocol disable_query_log
	disable_reconnect disable_result_log disable_rpl_parse disable_service_connection disable_session_track_info
	disable_testcase disable_view_protocol disable_warnings disable_column_names disconnect echo enable_abort_on_error
	enable_cursor_protocol enable_connect_log enable_info enable_metadata enable_non_blocking_api enable_parsing
	enable_prepare_warnings enable_ps_protocol enable_ps2_protocol enable_query_log enable_reconnect enable_result_log
	enable_rpl_parse enable_service_connection enable_session_track_info enable_testcase enable_view_protocol
	enable_warnings enable_column_names end_timer error eval evalp exec exec_in_background execw exit expr file_exists
	horizontal_results if inc let list_files list_files_append_file list_files_write_file lowercase_result mkdir move_file output
	partially_sorted_result perl ping ps_execute ps_prepare query query_attributes query_horizontal query_vertical real_sleep reap
	remove_file remove_files_wildcard replace_column replace_numeric_round replace_regex replace_result require reset_connection
	result result_format rmdir force_rmdir save_master_pos send send_eval send_quit send_shutdown shutdown_server skip sleep sorted_result
	source start_timer sync_slave_with_master sync_with_master system vertical_results wait_for_slave_to_stop while write_file
	write_line force_cpdir single_query optimizer_trace enable_optimizer_trace disable_optimizer_trace`)

// takesSQL are commands with a statement for the server.
var takesSQL = words(`eval evalp query query_horizontal query_vertical send send_eval single_query`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// commandReader reads commands.
type commandReader struct {
	*reader
	at        int
	delimiter string
}

// maxDepth bounds blocks within blocks.
const maxDepth = 50

// commands reads until the end of the file, or the brace that ends a block which began at open.
func (c *commandReader) commands(depth, open int) ([]command, error) {
	var out []command
	if depth > maxDepth {
		return nil, c.errorAt(open, "blocks within blocks go deeper than %d", maxDepth)
	}
	for {
		c.blanks()
		switch {
		case c.at >= len(c.text):
			if depth > 0 {
				return nil, c.errorAt(open, "the block that begins here has no }")
			}
			return out, nil
		case c.text[c.at] == '}':
			if depth == 0 {
				return nil, c.errorAt(c.at, "a } without a block")
			}
			c.at++
			return out, nil
		case c.text[c.at] == '#':
			start := c.at
			c.at = until(c.text, c.at, "\n")
			out = append(out, command{name: "#", args: strings.TrimSpace(strings.TrimLeft(c.text[start:c.at], "#")), at: start})
			continue
		case strings.HasPrefix(c.text[c.at:], c.delimiter):
			c.at += len(c.delimiter) // an empty statement
			continue
		}
		cmd, err := c.command(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, cmd)
		if cmd.name == "exit" && depth == 0 {
			c.at = len(c.text) // what follows is not run
		}
	}
}

func (c *commandReader) blanks() {
	for c.at < len(c.text) && strings.IndexByte(" \t\r\n\f", c.text[c.at]) >= 0 {
		c.at++
	}
}

func (c *commandReader) command(depth int) (command, error) {
	start := c.at
	if strings.HasPrefix(c.text[c.at:], "--") {
		end := until(c.text, c.at, "\n")
		line := strings.TrimSpace(c.text[c.at+2 : end])
		c.at = end
		name, args := cutWord(line)
		if name == "if" || name == "while" { // its block follows in any case
			return c.block(name, start, depth)
		}
		if takesSQL[name] {
			args = strings.TrimSpace(strings.TrimSuffix(args, c.delimiter))
		}
		return c.finish(command{name: name, args: args, at: start})
	}
	if name, _ := cutWord(c.text[c.at:min(len(c.text), c.at+64)]); name == "if" || name == "while" {
		return c.block(name, start, depth)
	}
	text, ok := c.statement()
	if !ok {
		return command{}, c.errorAt(start, "the statement that begins here has no %q at its end", c.delimiter)
	}
	name, args := cutWord(text)
	if !mysqltestCommands[name] {
		return command{args: strings.TrimSpace(text), at: start}, nil
	}
	return c.finish(command{name: name, args: args, at: start})
}

var firstOfLine = regexp.MustCompile(`^\s*([A-Za-z_0-9]+)`)

// cutWord takes the first word off, in lower case.
func cutWord(s string) (word, rest string) {
	m := firstOfLine.FindStringSubmatchIndex(s)
	if m == nil {
		return "", s
	}
	return strings.ToLower(s[m[2]:m[3]]), strings.TrimSpace(s[m[3]:])
}

// statement reads up to the delimiter; the end of the file does for it behind a complete last line.
func (c *commandReader) statement() (string, bool) {
	start := c.at
	for i := c.at; i < len(c.text); {
		if strings.HasPrefix(c.text[i:], c.delimiter) {
			c.at = i + len(c.delimiter)
			return c.text[start:i], true
		}
		switch q := c.text[i]; q {
		case '\'', '"', '`':
			i = closing(c.text, i)
		case '\\': // it takes the meaning from a quote, also outside of quotes
			i += 2
		default:
			i++
		}
	}
	return "", false
}

// block reads "if (...) {...}" and "while (...) {...}".
func (c *commandReader) block(name string, start, depth int) (command, error) {
	c.at = start + strings.Index(strings.ToLower(c.text[start:]), name) + len(name)
	c.blanks()
	open := c.at
	if c.at >= len(c.text) || c.text[c.at] != '(' {
		return command{}, c.errorAt(start, "want ( behind %s", name)
	}
	level := 0
	for ; c.at < len(c.text); c.at++ {
		switch c.text[c.at] {
		case '\'', '"', '`':
			c.at = closing(c.text, c.at) - 1
		case '(':
			level++
		case ')':
			level--
		}
		if level == 0 {
			break
		}
	}
	if level > 0 || c.at >= len(c.text) {
		return command{}, c.errorAt(open, "the condition that begins here has no )")
	}
	condition := c.text[open+1 : c.at]
	c.at++
	for c.blanks(); c.at < len(c.text) && c.text[c.at] == '#'; c.blanks() {
		c.at = until(c.text, c.at, "\n")
	}
	if c.at >= len(c.text) || c.text[c.at] != '{' {
		return command{}, c.errorAt(min(c.at, len(c.text)), "want { behind the condition of %s", name)
	}
	brace := c.at
	c.at++
	body, err := c.commands(depth+1, brace)
	return command{name: name, args: strings.TrimSpace(condition), at: start, body: body}, err
}

// finish does what changes how the rest is read.
func (c *commandReader) finish(cmd command) (command, error) {
	switch cmd.name {
	case "delimiter":
		if d := strings.TrimSpace(cmd.args); d != "" {
			c.delimiter = d
		}
	case "perl", "write_file", "append_file":
		end := "EOF"
		if f := strings.Fields(cmd.args); cmd.name == "perl" && len(f) > 0 {
			end = f[0]
		} else if len(f) > 1 {
			end = f[1]
		}
		at := c.lineThat(func(line string) bool { return line == end })
		if at < 0 {
			return cmd, c.errorAt(cmd.at, "%s has no line %s that ends it", cmd.name, end)
		}
		c.at = at
	case "disable_parsing":
		at := c.lineThat(func(line string) bool {
			name, _ := cutWord(strings.TrimLeft(line, "- \t"))
			return name == "enable_parsing"
		})
		if c.at = at; at < 0 {
			c.at = len(c.text)
		}
	}
	return cmd, nil
}

// lineThat is behind the first line below that is so, -1 without one.
func (c *commandReader) lineThat(is func(line string) bool) int {
	at := c.at
	if at > 0 && c.text[at-1] != '\n' { // the command ended within its line
		at = until(c.text, at, "\n")
	}
	for at < len(c.text) {
		end := until(c.text, at, "\n")
		if is(strings.TrimSpace(c.text[at:end])) {
			return end
		}
		at = end
	}
	return -1
}
