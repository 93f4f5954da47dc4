// The watch of a scheme: ZooKeeper's own, on the connection of all else.
//
// Whatever it waits for may be broken off, and goes on with the next call: the library has pointers
// to what waits for an answer, so that is kept apart from the requests of operations. These wait
// for all that is pending; answers come in the order of requests, so that costs nothing.
//
// As long as it waits the library keeps the session alive: so a holder that watches lives, though
// it does not renew.
#include "registry/zookeeper.h"

namespace idgen::registry {

void Zookeeper::OnEvent(zhandle_t*, int type, int, const char*, void* self) {
  if (type != ZOO_SESSION_EVENT) static_cast<Zookeeper*>(self)->happened_ = true;
}

// The watch comes before what is read, so that nothing is missed. It needs no node that exists.
void Zookeeper::AskToWatch() {
  watched_base_ = base_;
  watched_ = {};
  happened_ = false;
  const std::string path = LatestPath();
  for (Request& request : watch_requests_) request = {this, Ask::kWatched, {}, nullptr, 0, ZOK};
  auto& [sync, exists, data] = watch_requests_;
  Sent(&sync, zoo_async(handle_, base_.c_str(), &OnString, &sync));
  Sent(&exists, zoo_awexists(handle_, path.c_str(), &OnEvent, this, &OnStat, &exists));
  Sent(&data, zoo_aget(handle_, path.c_str(), 0, &OnData, &data));
  watching_ = Watching::kAsked;
}

// All answers are there.
bool Zookeeper::SetWatch() {
  watching_ = Watching::kNothing;
  if (watched_base_ != base_) return true;  // the next one is asked for
  for (const Request& request : watch_requests_) {
    if (request.result != ZOK && request.result != ZNONODE) {
      return Fail("the request failed", request.result);
    }
  }
  if (out_of_memory_) {
    out_of_memory_ = false;
    return Fail("the request failed", ZSYSTEMERROR);
  }
  if (watched_.broken) return Spoilt(LatestPath()) == Status::kDone;
  watching_ = Watching::kSet;
  return true;
}

Tree::Awaited Zookeeper::AwaitScheme(std::int64_t known) {
  bool asked = false;  // by this call: what an earlier one was told may be old
  for (bool connected = false;;) {
    if (!Alive()) {
      if (connected || !Connected()) {
        const bool in_time = !stopped_ && LeftUs() > 0;
        if (connected) Fail("the connection was lost", ZCONNECTIONLOSS);
        Drop();
        return in_time ? Awaited::kFailed : Awaited::kNothing;
      }
      connected = true;
    }
    if (watching_ == Watching::kNothing) {
      AskToWatch();
      asked = true;
    } else if (watching_ == Watching::kAsked && pending_ == 0) {
      if (!SetWatch()) return Awaited::kFailed;
    } else if (watching_ == Watching::kSet &&
               (happened_ || watched_base_ != base_ || (watched_.number != known && !asked))) {
      watching_ = Watching::kNothing;
    } else if (watching_ == Watching::kSet && watched_.number != known) {
      return Awaited::kNews;
    } else {
      int result = ZOK;
      if (!Pump(result, deadline_us_)) return Awaited::kNothing;
    }
  }
}

}  // namespace idgen::registry
