// Every kind of item that this program can protect.
#pragma once

#include "item/adapter.h"

namespace holdfast::app {

item::AdapterSet all_adapters();

}  // namespace holdfast::app
