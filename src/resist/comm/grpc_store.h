#pragma once

namespace resist {

// What the gRPC server and client of a store share.

// Of one message: a key and a value as long as they may be, and a little more.
inline constexpr int kMostMessageBytes = (2 << 20) + 4096;

// Before the first use of gRPC: what it logs goes to our log, as details.
void prepare_grpc();

}  // namespace resist
