"""The one door to bacpypes3: its codecs and its state machines decide what a correct answer is.

Handed the services of a device, never the device; knows no socket. Its coroutines never wait, so they are run
to their end on the spot: a request is answered before the next datagram is looked at. Where the state
machines would break a rule of the standard or fall over a hostile client they are put right here, each time
with the reason. Import it late: it brings all of bacpypes3.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Protocol, cast

from bacpypes3.apdu import (  # type: ignore[import-untyped]
    APDU,
    AbortPDU,
    AbortReason,
    APCISequence,
    ComplexAckPDU,
    ConfirmedCOVNotificationRequest,
    ConfirmedRequestPDU,
    Error,
    ErrorPDU,
    GetEventInformationACK,
    GetEventInformationRequest,
    IAmRequest,
    IHaveRequest,
    ReadPropertyACK,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
    ReadPropertyRequest,
    RejectPDU,
    RejectReason,
    SegmentAckPDU,
    SimpleAckPDU,
    SubscribeCOVRequest,
    TimeSynchronizationRequest,
    UnconfirmedCOVNotificationRequest,
    UnconfirmedRequestPDU,
    WhoHasRequest,
    WhoIsRequest,
    WritePropertyRequest,
)
from bacpypes3.appservice import (  # type: ignore[import-untyped]
    ABORTED,
    AWAIT_RESPONSE,
    COMPLETED,
    SEGMENTED_REQUEST,
    SEGMENTED_RESPONSE,
    ApplicationServiceAccessPoint,
    ServerSSM,
)
from bacpypes3.basetypes import (  # type: ignore[import-untyped]
    DateTime,
    ErrorType,
    GetEventInformationEventSummary,
    PropertyIdentifier,
    PropertyValue,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    Segmentation,
    TimeStamp,
)
from bacpypes3.errors import RejectException  # type: ignore[import-untyped]
from bacpypes3.ipv4.bvll import LPCI, LPDU, ForwardedNPDU  # type: ignore[import-untyped]
from bacpypes3.npdu import NPDU  # type: ignore[import-untyped]
from bacpypes3.pdu import PDU, GlobalBroadcast, RemoteBroadcast, RemoteStation  # type: ignore[import-untyped]
from bacpypes3.pdu import Address as LibraryAddress
from bacpypes3.primitivedata import (  # type: ignore[import-untyped]
    BitString,
    Boolean,
    CharacterString,
    Date,
    Enumerated,
    Integer,
    Null,
    ObjectIdentifier,
    Real,
    TagClass,
    TagList,
    Time,
    Unsigned,
)

from virtual_digiware.buses.bacnet.cov import MAX_WAITING, Notification
from virtual_digiware.buses.bacnet.device import EventSummary
from virtual_digiware.buses.bacnet.errors import Malformed, Reject, ServiceError
from virtual_digiware.buses.bacnet.identifiers import MAX_INSTANCE, ObjectType, Property, identifier
from virtual_digiware.buses.bacnet.notices import Notices
from virtual_digiware.buses.bacnet.peers import GLOBAL, Bvll, Npdu, Peer, Station
from virtual_digiware.buses.bacnet.reading import Reference, Result
from virtual_digiware.buses.bacnet.values import Octets, Tag, Value, Values, moment_of

_HEADER, _SEGMENT_HEADER = 3, 5  # octets of a ComplexACK in front of its content
_MAX_APDU_CODES = 5  # higher codes of the max APDU length are reserved
_MAX_WINDOW = 127
_MAX_TRANSACTIONS = 64  # segmented exchanges that one device keeps open at once
_MAX_SEGMENTS = 255  # sequence numbers have eight bits, and the state machine counts segments by them
_FORWARDED = 0x04
_PRIORITY = 127  # of alarms, in the middle of 0 (highest) to 255


class DeviceServices(Protocol):
    """What one device offers to its clients."""

    def read(self, object_id: int, reference: Reference) -> tuple[int, Values]: ...

    def read_multiple(
        self, wanted: Sequence[tuple[int, Sequence[Reference]]]
    ) -> list[tuple[int, list[Result]]]: ...

    def write(
        self, object_id: int, reference: Reference, content: Sequence[Value | None], priority: int | None
    ) -> None: ...

    def is_asked_for(self, low: int | None, high: int | None) -> bool: ...

    def find(self, object_id: int | None, name: str | None) -> tuple[int, str] | None: ...

    def synchronise(self, date: Octets, time: Octets) -> None: ...

    @property
    def has_cov(self) -> bool: ...

    def events(self, last: int | None) -> tuple[list[EventSummary], bool]: ...

    def subscribe(
        self, peer: Peer, process_id: int, object_id: int, is_confirmed: bool | None, lifetime_s: int | None
    ) -> None: ...


class Send(Protocol):
    """Takes an APDU for a peer."""

    def __call__(self, apdu: bytes, peer: Peer, priority: int) -> None: ...


class Identity(Protocol):
    """What I-Am says of a device, and the limits of its exchanges."""

    instance: int
    vendor_identifier: int
    max_apdu: int
    max_segments: int
    window: int
    segment_timeout_ms: int
    apdu_timeout_ms: int
    apdu_retries: int


class Outcomes(Protocol):
    """Counts of what requests came to."""

    errors: int
    rejects: int
    aborts: int
    failures: int


def decode_bvll(datagram: bytes) -> Bvll:
    """The link layer's part of a datagram. Raises Malformed."""
    try:
        lpdu = LPDU.decode(PDU(datagram))
        if lpdu.bvlciFunction != _FORWARDED:
            return Bvll(lpdu.bvlciFunction, bytes(lpdu.pduData))
        forwarded = ForwardedNPDU.decode(PDU(bytes(lpdu.pduData)))
        return Bvll(_FORWARDED, bytes(forwarded.pduData), forwarded.bvlciAddress.addrTuple)
    except Exception as error:  # of many kinds
        raise Malformed(str(error)) from error


def encode_bvll(function: int, content: bytes) -> bytes:
    """A datagram of the link layer."""
    lpdu = LPDU(content)
    lpdu.bvlciType, lpdu.bvlciFunction, lpdu.bvlciLength = LPCI.bvlciType, function, 4 + len(content)
    return bytes(lpdu.encode().pduData)


def decode_npdu(content: bytes) -> Npdu:
    """The network layer's part of a message. Raises Malformed."""
    try:
        npdu = NPDU.decode(PDU(content))
    except Exception as error:  # of many kinds
        raise Malformed(str(error)) from error
    return Npdu(
        content=bytes(npdu.pduData),
        destination=_station(npdu.npduDADR),
        source=_station(npdu.npduSADR),
        hops=getattr(npdu, "npduHopCount", 255),
        is_expecting_reply=bool(npdu.pduExpectingReply),
        priority=npdu.pduNetworkPriority,
        message=npdu.npduNetMessage,
    )


def encode_npdu(message: Npdu) -> bytes:
    """A network layer message as bytes."""
    npdu = NPDU(message.content)
    npdu.npduDADR, npdu.npduSADR = _address(message.destination), _address(message.source)
    npdu.npduHopCount, npdu.npduNetMessage = message.hops, message.message
    npdu.pduExpectingReply, npdu.pduNetworkPriority = message.is_expecting_reply, message.priority
    return bytes(npdu.encode().pduData)


def _station(address: LibraryAddress | None) -> Station | None:
    if address is None:
        return None
    if address.addrType == LibraryAddress.globalBroadcastAddr:
        return Station(GLOBAL, b"")
    is_broadcast = address.addrType == LibraryAddress.remoteBroadcastAddr
    return Station(address.addrNet, b"" if is_broadcast else bytes(address.addrAddr))


def _address(station: Station | None) -> LibraryAddress | None:
    if station is None:
        return None
    if station.network == GLOBAL:
        return GlobalBroadcast()
    if not station.mac:
        return RemoteBroadcast(station.network)
    return RemoteStation(station.network, station.mac)


class ApplicationLayer(ApplicationServiceAccessPoint):  # type: ignore[misc]
    """The application layer of one device.

    Args:
        services: What the device can do.
        identity: Who it says it is, and its limits.
        send: Takes what goes out.
        outcomes: Counts.
    """

    def __init__(self, services: DeviceServices, identity: Identity, send: Send, outcomes: Outcomes) -> None:
        super().__init__(device_info_cache=_NoCache())
        self.segmentationSupported = Segmentation.segmentedBoth
        self.maxApduLengthAccepted = identity.max_apdu
        self.maxSegmentsAccepted = identity.max_segments
        self.proposedWindowSize = identity.window
        self.segmentTimeout = identity.segment_timeout_ms
        self.numberOfApduRetries = identity.apdu_retries
        self.applicationTimeout = 0  # answers are made at once
        self.services = services
        self.identity = identity
        self.outcomes = outcomes
        self._send = send
        self._notices = Notices(
            lambda apdu, peer: send(apdu, peer, 0),
            identity.apdu_timeout_ms / 1000,
            identity.apdu_retries,
            MAX_WAITING,
        )

    @property
    def is_busy(self) -> bool:
        """Whether an exchange of segments is going on."""
        return bool(self.serverTransactions)

    def receive(self, apdu: bytes, peer: Peer, priority: int, is_broadcast: bool) -> None:
        """Take an APDU from a client; answers are sent before this returns. Raises Malformed."""
        if is_broadcast and apdu and apdu[0] >> 4 == ConfirmedRequestPDU.pduType:
            return  # source: ASHRAE 135, 5.4.5.1, ConfirmedBroadcastReceived
        pdu = PDU(apdu)
        pdu.pduSource, pdu.pduNetworkPriority = peer, priority
        try:
            header = APDU.decode(pdu)
        except Exception as error:  # of many kinds
            raise Malformed(str(error)) from error
        if isinstance(header, ConfirmedRequestPDU):
            self._receive_confirmed(header)
            return
        if isinstance(header, SimpleAckPDU | ErrorPDU | RejectPDU | AbortPDU):
            self._notices.answered(peer, header.apduInvokeID)
            if not isinstance(header, AbortPDU):
                return  # nothing else that this device sends is answered
        pdu = PDU(apdu)
        pdu.pduSource, pdu.pduNetworkPriority = peer, priority
        run(self.confirmation(pdu))

    def close(self) -> None:
        """Forget all exchanges and their timers."""
        for transaction in list(self.serverTransactions):
            transaction.set_state(ABORTED)
        self._notices.close()

    def notify(self, notification: Notification) -> None:
        """Tell a subscriber of a change; one that is to confirm it hears it again until it does."""
        key = notification.subscription.key
        kind = UnconfirmedCOVNotificationRequest
        invoke_id = None
        if notification.subscription.is_confirmed:
            kind, invoke_id = ConfirmedCOVNotificationRequest, self._notices.invoke_id(key.peer)
            if invoke_id is None:
                return
        request = kind(
            subscriberProcessIdentifier=key.process_id,
            initiatingDeviceIdentifier=_object(identifier(ObjectType.DEVICE, self.identity.instance)),
            monitoredObjectIdentifier=_object(key.object_id),
            timeRemaining=notification.remaining_s,
            listOfValues=[
                PropertyValue(propertyIdentifier=PropertyIdentifier(number), value=_Encoded(content))
                for number, content in (
                    (Property.PRESENT_VALUE, notification.present_value),
                    (Property.STATUS_FLAGS, notification.status_flags),
                )
            ],
        )
        if invoke_id is None:
            self._send(bytes(request.encode().encode().pduData), key.peer, 0)
            return
        confirmed = request.encode()
        confirmed.apduInvokeID = invoke_id
        confirmed.apduSeg = confirmed.apduMor = False
        confirmed.apduSA, confirmed.apduMaxSegs = False, 0
        confirmed.apduMaxResp = _MAX_APDU_CODES
        self._notices.send(key.peer, invoke_id, bytes(confirmed.encode().pduData))

    def _receive_confirmed(self, request: ConfirmedRequestPDU) -> None:
        known = self._transaction(request)
        if known is not None:
            if request.apduSeg:
                run(known.indication(request))
            return  # a repetition while the answer is under way; source: ASHRAE 135, 5.4.5.3
        request.apduMaxResp = min(request.apduMaxResp, _MAX_APDU_CODES)
        refusal = self._refusal(request)
        if refusal is not None:
            self._abort(request, refusal)
            return
        transaction = _Transaction(self, request.pduSource, request.pduNetworkPriority)
        self.serverTransactions.append(transaction)
        try:
            run(transaction.indication(request))
        except Exception:
            # A mistake of ours: the client hears that there is no answer, the caller hears the rest.
            if transaction in self.serverTransactions:
                transaction.set_state(ABORTED)
            self._abort(request, int(AbortReason.other))
            raise

    def _transaction(self, request: APDU) -> _Transaction | None:
        key = request.apduInvokeID, request.pduSource
        return next((one for one in self.serverTransactions if (one.invokeID, one.pdu_address) == key), None)

    def _refusal(self, request: ConfirmedRequestPDU) -> int | None:
        """Why a first segment is not taken; the library would believe it."""
        if not request.apduSeg:
            return None
        if request.apduSeq:
            return int(AbortReason.invalidApduInThisState)
        if not 1 <= request.apduWin <= _MAX_WINDOW:
            return int(AbortReason.windowSizeOutOfRange)
        if len(self.serverTransactions) >= _MAX_TRANSACTIONS:
            return int(AbortReason.outOfResources)
        return None

    def _abort(self, request: APDU, reason: int) -> None:
        abort = AbortPDU(True, request.apduInvokeID, reason)
        abort.pduDestination, abort.pduNetworkPriority = request.pduSource, request.pduNetworkPriority
        run(self.request(abort))

    async def request(self, apdu: APDU) -> None:
        """Everything that goes down to the network."""
        if isinstance(apdu, AbortPDU):
            self.outcomes.aborts += 1
        self._send(bytes(apdu.encode().pduData), apdu.pduDestination, apdu.pduNetworkPriority)

    async def sap_request(self, apdu: APDU) -> None:
        """Everything that comes up to the application."""
        if isinstance(apdu, ConfirmedRequestPDU):
            await self.sap_confirmation(self._respond(apdu))
        elif isinstance(apdu, UnconfirmedRequestPDU):
            announcement = self._announce(apdu)
            if announcement is not None:
                encoded = announcement.encode()
                encoded.pduDestination, encoded.pduNetworkPriority = apdu.pduSource, apdu.pduNetworkPriority
                await self.request(encoded)

    def _respond(self, request: APDU) -> APDU:
        try:
            return self._served(request)
        except ServiceError as refusal:
            self.outcomes.errors += 1
            return Error(
                service_choice=request.apduService,
                errorClass=int(refusal.error_class),
                errorCode=int(refusal.code),
                context=request,
            )
        except Reject as refusal:
            self.outcomes.rejects += 1
            return RejectPDU(reason=refusal.reason, context=request)

    def _served(self, request: APDU) -> APDU:
        services = self.services
        if isinstance(request, ReadPropertyRequest):
            reference = _reference(request)
            object_id, content = services.read(_object_id(request.objectIdentifier), reference)
            return ReadPropertyACK(
                objectIdentifier=_object(object_id),
                propertyIdentifier=PropertyIdentifier(reference.property_id),
                propertyArrayIndex=reference.element,
                propertyValue=_Encoded(content),
                context=request,
            )
        if isinstance(request, ReadPropertyMultipleRequest):
            wanted = [
                (_object_id(one.objectIdentifier), [_reference(ref) for ref in one.listOfPropertyReferences])
                for one in request.listOfReadAccessSpecs
            ]
            if not wanted or not all(references for _, references in wanted):
                raise Reject(int(RejectReason.missingRequiredParameter))
            results = [_access_result(*result) for result in services.read_multiple(wanted)]
            return ReadPropertyMultipleACK(listOfReadAccessResults=results, context=request)
        if isinstance(request, WritePropertyRequest):
            written = [_value(tag) for tag in request.propertyValue.tagList[1:-1]]
            object_id = _object_id(request.objectIdentifier)
            services.write(object_id, _reference(request), written, request.priority)
            return SimpleAckPDU(context=request)
        if isinstance(request, GetEventInformationRequest):
            last = request.lastReceivedObjectIdentifier
            events, has_more = services.events(None if last is None else _object_id(last))
            summaries = [_event_summary(one) for one in events]
            return GetEventInformationACK(
                listOfEventSummaries=summaries, moreEvents=has_more, context=request
            )
        if isinstance(request, SubscribeCOVRequest):
            confirmed, lifetime_s = request.issueConfirmedNotifications, request.lifetime
            services.subscribe(
                request.pduSource,
                int(request.subscriberProcessIdentifier),
                _object_id(request.monitoredObjectIdentifier),
                None if confirmed is None else bool(confirmed),
                None if lifetime_s is None else int(lifetime_s),
            )
            return SimpleAckPDU(context=request)
        raise Reject(int(RejectReason.unrecognizedService))

    def _announce(self, request: APDU) -> APDU | None:
        """The answer to an unconfirmed request, if it has one."""
        services, identity = self.services, self.identity
        own = _object(identifier(ObjectType.DEVICE, identity.instance))
        if isinstance(request, WhoIsRequest):
            limits = request.deviceInstanceRangeLowLimit, request.deviceInstanceRangeHighLimit
            if not services.is_asked_for(*limits):
                return None
            return IAmRequest(
                iAmDeviceIdentifier=own,
                maxAPDULengthAccepted=identity.max_apdu,
                segmentationSupported=Segmentation.segmentedBoth,
                vendorID=identity.vendor_identifier,
            )
        if isinstance(request, WhoHasRequest):
            asked, limits = request.object, request.limits
            low = None if limits is None else limits.deviceInstanceRangeLowLimit
            high = None if limits is None else limits.deviceInstanceRangeHighLimit
            if not services.is_asked_for(low, high):
                return None
            number = None if asked.objectIdentifier is None else _object_id(asked.objectIdentifier)
            name = None if asked.objectName is None else str(asked.objectName)
            found = services.find(number, name)
            if found is None:
                return None
            return IHaveRequest(deviceIdentifier=own, objectIdentifier=_object(found[0]), objectName=found[1])
        if isinstance(request, TimeSynchronizationRequest):
            services.synchronise(_octets(request.time.date), _octets(request.time.time))
        return None


class _Transaction(ServerSSM):  # type: ignore[misc]
    """One confirmed request on its way through the application."""

    ssmSAP: ApplicationLayer

    maxApduLengthAccepted: int
    maxSegmentsAccepted: int | None
    initialSequenceNumber: int

    def __init__(self, layer: ApplicationLayer, peer: Peer, priority: int) -> None:
        super().__init__(layer, peer)
        self._priority = priority
        self._sent = 0

    async def request(self, apdu: APDU) -> None:
        """A whole request goes up. The library aborts what it cannot decode, and never tells the client."""
        if isinstance(apdu, AbortPDU):
            return
        try:
            is_cov = apdu.apduService == int(SubscribeCOVRequest.service_choice)
            if apdu.apduService not in _EXECUTED or (is_cov and not self.ssmSAP.services.has_cov):
                raise Reject(int(RejectReason.unrecognizedService))
            _check_nesting(apdu)
            decoded = APCISequence.decode(apdu)
        except Reject as refusal:
            await self._reject(refusal.reason)
        except RejectException as refusal:
            await self._reject(int(RejectReason(refusal.rejectReason)))
        except AttributeError:  # how the library says that a parameter is missing
            await self._reject(int(RejectReason.missingRequiredParameter))
        except Exception:  # of many kinds: lengths, enumerations, character sets
            await self._reject(int(RejectReason.invalidTag))
        else:
            decoded.pduSource, decoded.pduDestination = self.pdu_address, None
            decoded.pduNetworkPriority = self._priority
            await self.ssmSAP.sap_request(decoded)

    async def _reject(self, reason: int) -> None:
        self.ssmSAP.outcomes.rejects += 1
        await self.confirmation(RejectPDU(self.invokeID, reason))

    async def response(self, apdu: APDU) -> None:
        apdu.pduNetworkPriority = self._priority
        await super().response(apdu)

    async def confirmation(self, apdu: APDU) -> None:
        """The answer goes down. The library forgets the header when it asks whether a segment fits."""
        if isinstance(apdu, ComplexAckPDU):
            limit = min(self.maxApduLengthAccepted, self.ssmSAP.identity.max_apdu)
            whole = len(apdu.pduData) + _HEADER <= limit
            self.maxApduLengthAccepted = limit if whole else limit - _SEGMENT_HEADER
            self.maxSegmentsAccepted = self.maxSegmentsAccepted or _MAX_SEGMENTS
        if self.state == AWAIT_RESPONSE:
            await super().confirmation(apdu)
        if self.state == SEGMENTED_RESPONSE:
            self.actualWindowSize = 1  # for the repetition of a first segment that nobody acknowledges

    def get_segment(self, indx: int) -> APDU:
        segment = super().get_segment(indx)
        segment.pduNetworkPriority = self._priority
        self._sent = max(self._sent, indx + 1)
        return segment

    async def indication(self, apdu: APDU) -> None:
        """A client's part of the exchange; what cannot be right does not reach the library."""
        if isinstance(apdu, AbortPDU):
            self.set_state(COMPLETED)  # the library would send it back
        elif self.state == SEGMENTED_RESPONSE and isinstance(apdu, SegmentAckPDU):
            await self._acknowledged(apdu)
        elif self.state == SEGMENTED_RESPONSE:
            return  # a late segment of the request
        elif self.state == SEGMENTED_REQUEST and len(self.segmentAPDU.pduData) > self._longest_request:
            await self.response(self.abort(AbortReason.bufferOverflow))
        else:
            await super().indication(apdu)

    @property
    def _longest_request(self) -> int:
        return self.ssmSAP.identity.max_segments * self.ssmSAP.identity.max_apdu

    async def _acknowledged(self, ack: SegmentAckPDU) -> None:
        """The client has segments. The library takes any acknowledgement for the last one once all are sent,
        and one that shrinks the window for a repetition. Source: ASHRAE 135, 5.4.5.3."""
        if not 1 <= ack.apduWin <= _MAX_WINDOW:
            await self.response(self.abort(AbortReason.windowSizeOutOfRange))
        elif ack.apduSeq == self.segmentCount - 1 < self._sent:
            self.set_state(COMPLETED)
        elif self.initialSequenceNumber <= ack.apduSeq < self._sent:
            self.initialSequenceNumber, self.actualWindowSize = ack.apduSeq + 1, ack.apduWin
            self.segmentRetryCount = 0
            await self.fill_window(self.initialSequenceNumber)
            self.restart_timer(self.segmentTimeout)
        elif ack.apduSeq < self._sent:
            self.restart_timer(self.segmentTimeout)

    def timer_expired(self) -> None:
        """The library starts a task here, whose failure nobody would hear of."""
        try:
            if self.state == SEGMENTED_REQUEST:
                run(self.segmented_request_timeout())
            elif self.state == SEGMENTED_RESPONSE:
                run(self.segmented_response_timeout())
        except Exception:
            self.ssmSAP.outcomes.failures += 1
            if self in self.ssmSAP.serverTransactions:
                self.set_state(ABORTED)


_EXECUTED = frozenset(
    int(request.service_choice)
    for request in (
        ReadPropertyRequest,
        ReadPropertyMultipleRequest,
        WritePropertyRequest,
        GetEventInformationRequest,
        SubscribeCOVRequest,
    )
)


def _check_nesting(apdu: APDU) -> None:
    """Every opening tag has its closing one, which the library does not insist on. Raises Reject."""
    opened: list[int] = []
    for tag in TagList.decode(PDU(bytes(apdu.pduData))):
        if tag.tag_class == TagClass.opening:
            opened.append(tag.tag_number)
        elif tag.tag_class == TagClass.closing and (not opened or opened.pop() != tag.tag_number):
            raise Reject(int(RejectReason.invalidTag))
    if opened:
        raise Reject(int(RejectReason.invalidTag))


class _NoCache:
    """Knows no client: limits come with every request."""

    async def get_device_info(self, peer: Peer) -> None:
        return None


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("a coroutine of the library waited")


class _Encoded:
    """A property's value as the library takes it: whatever has `encode`."""

    def __init__(self, content: Values) -> None:
        self._content = content

    def encode(self) -> TagList:
        tags = TagList()
        for value in self._content:
            tags.extend(_PRIMITIVES[value.tag](value.content).encode())
        return tags


_PRIMITIVES: dict[Tag, Callable[[Any], Any]] = {
    Tag.NULL: lambda content: Null(()),
    Tag.BOOLEAN: Boolean,
    Tag.UNSIGNED: Unsigned,
    Tag.SIGNED: Integer,
    Tag.REAL: Real,
    Tag.TEXT: CharacterString,
    Tag.BITS: lambda content: BitString([int(flag) for flag in content]),
    Tag.ENUMERATED: Enumerated,
    Tag.DATE: Date,
    Tag.TIME: Time,
    Tag.OBJECT: lambda content: _object(content),
}


def _access_result(object_id: int, results: Iterable[Result]) -> ReadAccessResult:
    elements = [
        ReadAccessResultElement(
            propertyIdentifier=PropertyIdentifier(reference.property_id),
            propertyArrayIndex=reference.element,
            readResult=_choice(outcome),
        )
        for reference, outcome in results
    ]
    return ReadAccessResult(objectIdentifier=_object(object_id), listOfResults=elements)


def _choice(outcome: Values | ServiceError) -> ReadAccessResultElementChoice:
    if isinstance(outcome, ServiceError):
        error = ErrorType(errorClass=int(outcome.error_class), errorCode=int(outcome.code))
        return ReadAccessResultElementChoice(propertyAccessError=error)
    return ReadAccessResultElementChoice(propertyValue=_Encoded(outcome))


def _event_summary(summary: EventSummary) -> GetEventInformationEventSummary:
    """Begin and end of an event are its transitions; one acknowledgement is for both."""
    event = summary.event
    is_acknowledged = event.acknowledged_ms is not None
    ended = event.end_ms is None or is_acknowledged
    return GetEventInformationEventSummary(
        objectIdentifier=_object(summary.object_id),
        eventState=summary.state,
        acknowledgedTransitions=[is_acknowledged, 1, ended],
        eventTimeStamps=[_time_stamp(event.start_ms), _time_stamp(None), _time_stamp(event.end_ms)],
        notifyType=0,
        eventEnable=[1, 0, 1],
        eventPriorities=[_PRIORITY, _PRIORITY, _PRIORITY],
    )


def _time_stamp(t_ms: int | None) -> TimeStamp:
    date, time = moment_of(t_ms)
    return TimeStamp(dateTime=DateTime(date=Date(date.content), time=Time(time.content)))


def _reference(request: Any) -> Reference:
    index = request.propertyArrayIndex
    return Reference(int(request.propertyIdentifier), None if index is None else int(index))


def _object_id(number: ObjectIdentifier) -> int:
    return identifier(int(number[0]), int(number[1]))


def _object(number: int) -> ObjectIdentifier:
    return ObjectIdentifier((number >> 22, number & MAX_INSTANCE))


def _value(tag: Any) -> Value | None:
    """A written value; None for one of a type that nothing here takes."""
    if tag.tag_class != TagClass.application:
        return None
    content = tag.app_to_object()
    if isinstance(content, Null):
        return Value(Tag.NULL, None)
    if isinstance(content, Enumerated):
        return Value(Tag.ENUMERATED, int(content))
    return None


def _octets(quadruple: Iterable[int]) -> Octets:
    return cast(Octets, tuple(int(octet) for octet in quadruple))
