// Runs the extension with a VS Code that only writes down what it is told. The settings are the first argument, as JSON; what happened is
// written to stdout, a line of JSON each.
"use strict";

const Module = require("module");
const path = require("path");

const settings = JSON.parse(process.argv[3]);
const tell = (what, ...about) => console.log(JSON.stringify([what, ...about]));
const uri = (fsPath) => ({ fsPath });
const registered = {};

const vscode = {
  workspace: {
    getConfiguration: (section) => ({ get: (name) => (tell("setting", section + "." + name), settings[name]) }),
    getWorkspaceFolder: () => (settings.folder ? { uri: uri(settings.folder) } : undefined),
    createFileSystemWatcher: (glob) => glob,
  },
  window: { showErrorMessage: (text) => tell("error", text), activeTextEditor: { document: { languageId: "starlark" } } },
  commands: { registerCommand: (name, fn) => (tell("command", name), (registered[name] = fn)) },
  tasks: { executeTask: (task) => tell("task", task.process, task.definition) },
  debug: {
    startDebugging: (folder, config) => tell("debug", config),
    registerDebugConfigurationProvider: (type, x) => (tell("configurations", type), (registered.provider = x)),
    registerDebugAdapterDescriptorFactory: (type, x) => (tell("adapter", type), (registered.factory = x)),
  },
  Uri: { parse: (text) => uri(decodeURIComponent(text.replace("file://", ""))) },
  TaskScope: { Workspace: 2 },
  ProcessExecution: function (command, args, options) {
    Object.assign(this, { command, args, options });
  },
  Task: function (definition, scope, name, source, execution) {
    Object.assign(this, { definition, process: execution });
  },
  DebugAdapterExecutable: function (command, args) {
    Object.assign(this, { command, args });
  },
};

let middleware;
class LanguageClient {
  constructor(id, name, server, options) {
    middleware = options.middleware;
    tell("server", server, options.documentSelector);
  }
  async start() {
    if (settings.broken) throw new Error("spawn ENOENT");
    tell("started");
  }
  needsStop() {
    return !settings.broken;
  }
  async stop() {
    tell("stopped");
  }
}

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === "vscode") return vscode;
  if (name === "vscode-languageclient/node") return { LanguageClient };
  return load(name, ...rest);
};

(async () => {
  const extension = require(path.resolve(process.argv[2]));
  const context = { subscriptions: [] };
  await extension.activate(context);
  const next = (command, args) => tell("forwarded", command, args);
  await middleware.executeCommand("rig.run", ["file:///p/a%20b.star", "test_x"], next);
  await middleware.executeCommand("rig.debug", ["file:///p/a%20b.star", "test_x"], next);
  await middleware.executeCommand("other", [1], next);
  tell("descriptor", registered.factory.createDebugAdapterDescriptor());
  tell("resolved", registered.provider.resolveDebugConfiguration({ uri: uri("/p") }, {}));
  tell("resolved", registered.provider.resolveDebugConfiguration(undefined, { type: "rig", program: "b.star" }));
  await registered["rig.restart"]();
  await extension.deactivate();
  tell("subscriptions", context.subscriptions.length);
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
