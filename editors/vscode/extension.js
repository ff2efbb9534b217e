// The editor's side of rig: it starts `rig lsp` for what is written and `rig dap` for what is debugged. Everything that is known
// of scenarios is known there.
"use strict";

const os = require("os");
const path = require("path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function setting(name) {
  return vscode.workspace.getConfiguration("rig").get(name);
}

// executable is the path of rig; "~/bin/rig" is understood.
function executable() {
  const rig = setting("path") || "rig";
  return rig.startsWith("~/") ? path.join(os.homedir(), rig.slice(2)) : rig;
}

function serverArguments() {
  const args = ["lsp"];
  if (setting("target")) args.push("--target", setting("target"));
  if (setting("offline")) args.push("--offline");
  return args;
}

// test names a test as rig does.
function test(uri, name) {
  return vscode.Uri.parse(uri).fsPath + "::" + name;
}

function folderOf(uri) {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(uri));
}

// run shows a test of a lens in a terminal, with its colours, where it can be interrupted.
function run(uri, name) {
  const folder = folderOf(uri);
  const cwd = folder ? folder.uri.fsPath : path.dirname(vscode.Uri.parse(uri).fsPath);
  const process = new vscode.ProcessExecution(executable(), ["exec", test(uri, name)], { cwd });
  const task = new vscode.Task({ type: "rig", test: name }, folder || vscode.TaskScope.Workspace, name, "rig", process, []);
  task.presentationOptions = { clear: true, focus: false };
  return vscode.tasks.executeTask(task);
}

function debug(uri, name) {
  return vscode.debug.startDebugging(folderOf(uri), { type: "rig", request: "launch", name, program: test(uri, name) });
}

// executeCommand takes the commands of the lenses: the server would run a test without a terminal, and debug nothing itself.
function executeCommand(command, args, next) {
  if (command === "rig.run") return run(...args);
  if (command === "rig.debug") return debug(...args);
  return next(command, args);
}

async function start() {
  client = new LanguageClient(
    "rig",
    "rig",
    { command: executable(), args: serverArguments() },
    {
      documentSelector: [{ language: "starlark", scheme: "file" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{*.star,rig.toml}") },
      middleware: { executeCommand },
    },
  );
  try {
    await client.start();
  } catch (err) {
    vscode.window.showErrorMessage(`rig: ${executable()} lsp does not start: ${err.message}. The setting rig.path names the executable.`);
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old && old.needsStop()) await old.stop();
}

const debuggers = {
  // F5 without a launch.json debugs the scenario that is open.
  resolveDebugConfiguration(folder, config) {
    const editor = vscode.window.activeTextEditor;
    if (!config.type && editor && editor.document.languageId === "starlark") {
      config = { type: "rig", request: "launch", name: "this file", program: "${file}" };
    }
    if (!config.cwd && folder) config.cwd = folder.uri.fsPath;
    return config;
  },
  createDebugAdapterDescriptor() {
    return new vscode.DebugAdapterExecutable(executable(), ["dap"]);
  },
};

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("rig.restart", async () => {
      await stop();
      await start();
    }),
    vscode.debug.registerDebugConfigurationProvider("rig", debuggers),
    vscode.debug.registerDebugAdapterDescriptorFactory("rig", debuggers),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
