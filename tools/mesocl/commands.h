/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands, one file each (cmd_<name>.c). argv[0] is the subcommand's name; each returns the
 * program's exit code. A new one is declared here and gets a row in main.c.
 */
#ifndef MESO_TOOLS_COMMANDS_H
#define MESO_TOOLS_COMMANDS_H

int cmd_devices(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_init(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_faces(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_evaluate(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_score_job(int argc, char **argv);

#endif
