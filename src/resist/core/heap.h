#pragma once

namespace resist {

// Makes this process keep the memory that it frees, in huge pages where the kernel grants them on request: a local
// iteration allocates what the one before it freed, and giving that back to the kernel in between costs a page fault
// for every 4 KiB of it. Before the first large allocation. `workers` that are threads of this process get a heap each,
// of usual pages, so that they don't wait for one another. Does nothing with a C library other than glibc.
void keep_freed_memory(int workers = 1);

}  // namespace resist
