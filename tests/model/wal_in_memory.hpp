// SQLite's write-ahead logs in memory: a fifth of a schedule's time went to the kernel for them.
//
// Wraps the system's files (SQLite's VFS) and keeps the logs alone, by path; the databases are files as ever. What a
// closed connection leaves behind in a log is there for the next one. That files are synced and cut off in the middle
// is for the crash tests. Threads: one; call once, before the first database is opened.
#pragma once

namespace nimes::model {

void keep_write_ahead_logs_in_memory();

}  // namespace nimes::model
