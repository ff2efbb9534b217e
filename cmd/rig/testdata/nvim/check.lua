-- Opens a.star with the settings of the docs and writes down what the server told Neovim.
local out = {}
local function tell(what, value)
  table.insert(out, what .. ": " .. value)
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function ask(method, place)
  local params = { textDocument = vim.lsp.util.make_text_document_params() }
  if place then
    params.position = { line = place[1], character = place[2] }
    params.context = { includeDeclaration = true }
  end
  local answers = vim.lsp.buf_request_sync(0, "textDocument/" .. method, params, 10000) or {}
  for _, a in pairs(answers) do
    return a.result
  end
end

local function check()
  vim.cmd("edit a.star")
  tell("filetype", vim.bo.filetype)
  local ready = vim.wait(10000, function()
    return #vim.diagnostic.get(0) > 0
  end, 10)
  tell("ready", tostring(ready))
  for _, d in ipairs(vim.diagnostic.get(0)) do
    tell("diagnostic", (d.lnum + 1) .. " " .. d.code)
  end
  local labels = {}
  for _, i in ipairs(ask("completion", { 4, 38 }).items) do
    table.insert(labels, i.label)
  end
  tell("completion", table.concat(labels, " "))
  tell("omnifunc", vim.bo.omnifunc)
  for _, l in ipairs(ask("definition", { 3, 5 })) do
    tell("definition", vim.fn.fnamemodify(vim.uri_to_fname(l.uri), ":t") .. ":" .. (l.range.start.line + 1))
  end
  tell("references", tostring(#ask("references", { 3, 5 })))
  tell("lenses", tostring(#ask("codeLens")))
  local format = vim.lsp.buf.format or vim.lsp.buf.formatting_sync -- 0.8 | 0.7
  format({ timeout_ms = 10000 }, 10000)
  tell("formatted", lines()[7])
end

local ok, err = xpcall(check, debug.traceback)
if not ok then
  tell("error", err)
end
vim.fn.writefile(out, "told")
vim.cmd("qa!")
